"""The people of an invented province: each is made from a number, with every row that tells of them."""
