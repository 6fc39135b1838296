alter table public.b alter constraint b_a deferrable initially deferred;
alter table public.c drop constraint c_b_id_fkey;
alter table public.c add constraint c_b_id_fkey foreign key (b_id) references public.b (id) on delete set null (b_id) on update cascade not valid;
alter table public.a drop constraint xy cascade;
alter table public.a add constraint xy unique nulls not distinct (x, y) include (id);
alter table public.b add constraint b_xy foreign key (x, y) references public.a (x, y) match full;
comment on constraint b_xy on public.b is 'both';
alter table public.c add constraint named primary key (id);
