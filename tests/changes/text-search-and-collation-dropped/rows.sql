insert into public.doc (id, body, name) values (1, 'a b', 'n');
