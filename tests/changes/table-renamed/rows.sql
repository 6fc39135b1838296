insert into public.task (title) values ('a'); insert into public.step values (1, 1);
