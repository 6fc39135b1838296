drop event trigger gone;
drop event trigger told;
create event trigger told on ddl_command_start when tag in ('CREATE TABLE', 'DROP TABLE') execute function public.on_ddl();
alter event trigger kept disable;
alter event trigger kept rename to held;
create event trigger always on table_rewrite execute function public.on_ddl();
alter event trigger always enable always;
comment on event trigger always is 'it''s "on"';
