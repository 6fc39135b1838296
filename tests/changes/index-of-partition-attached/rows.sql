insert into public.pt values (1, 1);
