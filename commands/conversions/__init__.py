"""What others have recorded, as entries of our recordings: one module for each kind of file."""
