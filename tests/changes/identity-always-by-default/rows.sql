insert into public.t (n) values (1), (2); insert into public.u default values;
