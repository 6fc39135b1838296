create table public.t (id int primary key, a int, b text);
create function public.tf() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger one before update on public.t for each row execute function public.tf();
create trigger two after insert on public.t for each statement execute function public.tf();
create trigger three after delete on public.t for each row execute function public.tf();
create trigger four before insert on public.t for each row execute function public.tf();
create trigger five before delete on public.t for each row execute function public.tf();
create constraint trigger held after insert on public.t deferrable initially immediate for each row execute function public.tf();
create rule no_delete as on delete to public.t where old.id < 0 do instead nothing;
