"""The checks of a document that AWS makes before it runs, with AWS's codes and the JSON path of each problem."""
