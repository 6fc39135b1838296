insert into "My Schéma"."Tab""le" values (1, 'x', 2); insert into public."user" values ('u', 'ä b');
