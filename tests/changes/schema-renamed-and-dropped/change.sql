alter schema old_one rename to new_one;
drop schema gone cascade;
