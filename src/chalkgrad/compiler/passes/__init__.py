"""The passes of the compiler, one a file: each takes a function of the program and makes it faster or smaller."""
