alter table public.pk add constraint pk_all primary key (id, d);
create table public.pk_2 (id int not null, d int not null, v text, constraint second_key primary key (id, d));
alter table public.pk attach partition public.pk_2 for values from (10) to (20);
create index pk_v on public.pk (v) with (fillfactor = 80);
alter index public.pk_1_v_idx rename to "Own V";
comment on index public."Own V" is 'renamed';
alter index public.pk_2_v_idx set (fillfactor = 50);
