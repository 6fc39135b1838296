insert into public.seed values (1);
