// In place of the theme's icon script, 1.5 MB on every page: the icons in use are drawn by book.css.
