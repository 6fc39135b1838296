alter sequence public.counter set schema s; alter sequence s.counter rename to main_counter;
alter table public.u alter n drop default; drop sequence s.other;
alter sequence public.u_k_seq owned by none; alter sequence public.u_k_seq rename to k_numbers; alter sequence public.k_numbers owned by public.u.k;
alter table public.u2 alter id set default nextval('s.main_counter') * 2;
