select name from space
