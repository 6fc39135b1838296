create table public.p (id int primary key, u text, e int4range);
create table public.c (id int primary key, p_id int, n int);
alter table public.c add constraint c_p foreign key (p_id) references public.p (id) not valid;
alter table public.c add constraint n_pos check (n > 0) not valid;
alter table public.p add constraint u_one unique (u);
alter table public.p add constraint e_one exclude using gist (e with &&);
create unique index p_ix on public.p (u, id);
