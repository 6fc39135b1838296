insert into public.org (name) values ('a'); insert into public.member values (1, 1);
