insert into public.src values (1, 'a'); insert into public.two values (1, 'b');
