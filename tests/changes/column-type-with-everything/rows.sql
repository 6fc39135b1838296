insert into public.p (id, amount) values (1, 7); insert into public.q values (1, 1);
