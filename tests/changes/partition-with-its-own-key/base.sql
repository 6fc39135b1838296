create table public.pk (id int not null, d int not null, v text) partition by range (d);
create table public.pk_1 partition of public.pk for values from (0) to (10);
alter table public.pk_1 add constraint own_key primary key (id, d);
