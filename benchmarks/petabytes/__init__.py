"""The plan of ten petabytes a month, and the page that shows it."""
