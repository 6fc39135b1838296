insert into public.t1 values (1, 1); insert into public.t2 values (1, 1);
