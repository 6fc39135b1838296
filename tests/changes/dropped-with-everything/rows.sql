insert into public.top (k) values ('a'); insert into public.sub values (1, 1);
