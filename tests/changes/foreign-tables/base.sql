create foreign data wrapper w;
create server srv foreign data wrapper w options (host 'a');
create foreign table public.ft (id int, a text options (x '1')) server srv options (tbl 'one');
create view public.fv as select id from public.ft;
