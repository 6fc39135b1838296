insert into public.people values (1, 'a@b.example', 5);
