"""The declarations, one file for each framework file: `EXERCISES`, in the order they are met."""
