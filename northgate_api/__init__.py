"""Northgate Supply on Banyan: what a platform team writes. `banyan init` makes a folder of this shape."""
