insert into public.pa values (1, 'q'); insert into public.kid (id, x, y, z) values (2, 'k', 3, 4); insert into public.lone values (1, 'l');
