alter table b.y drop constraint y_x_id_fkey, add constraint y_x foreign key (x_id) references a.x (id) on update cascade on delete set null deferrable;
alter table b.y add constraint y_n foreign key (x_n) references a.x (n) match full on delete set default not valid;
alter table b.z drop constraint z_y_id_fkey; alter table b.z add constraint z_y foreign key (y_id) references b.y (id);
alter table a.x add column y_id int references b.y (id) deferrable initially immediate;
create table a.w (x_id int references a.x (id), y_id int references b.y (id), primary key (x_id, y_id));
alter table b.z0 add constraint z0_self foreign key (y_id) references a.x (id);
comment on constraint y_x on b.y is 'across';
