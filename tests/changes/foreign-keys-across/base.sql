create schema a; create schema b;
create table a.x (id int primary key, n int unique); create table b.y (id int primary key, x_id int references a.x (id), x_n int);
create table b.z (id int, y_id int references b.y (id) on delete cascade deferrable initially deferred) partition by hash (id);
create table b.z0 partition of b.z for values with (modulus 1, remainder 0);
