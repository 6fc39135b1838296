alter server srv options (set host 'b', add port '5');
alter foreign table public.ft options (set tbl 'two');
alter foreign table public.ft alter a options (set x '2'), add column b int, alter id set not null, alter a set default 'q';
alter foreign table public.ft add constraint pos check (id > 0);
create foreign table public.ft2 (k text collate "C" not null) server srv;
comment on foreign table public.ft is 'ft'; comment on server srv is 's';
