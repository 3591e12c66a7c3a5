"""What AWS would refuse in a document, with its own codes and the JSON path of each problem."""
