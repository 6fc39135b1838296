insert into public.jobs values (1, 'new', '{new}'), (2, 'done', '{}');
