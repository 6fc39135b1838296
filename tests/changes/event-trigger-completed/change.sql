create function public.note() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger note on ddl_command_end execute function public.note();
create text search configuration public.conf (copy = simple);
