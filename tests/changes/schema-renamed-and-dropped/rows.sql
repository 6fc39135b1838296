insert into old_one.t values (1, 1); insert into gone.g default values;
