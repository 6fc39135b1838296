create function public.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
create function public.on_drop() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger told on ddl_command_end execute function public.on_ddl();
create event trigger gone on sql_drop execute function public.on_drop();
create event trigger kept on ddl_command_end when tag in ('CREATE TABLE') execute function public.on_ddl();
