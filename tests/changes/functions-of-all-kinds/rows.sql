insert into public.src values (1, 1);
