"""The browser side: Pyodide, JupyterLite, and the commands that build and serve them."""
