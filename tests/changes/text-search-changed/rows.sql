insert into public.doc (id, body) values (1, 'the words');
