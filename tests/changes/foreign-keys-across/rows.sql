insert into a.x values (1, 1); insert into b.y values (1, 1, 1); insert into b.z values (1, 1);
