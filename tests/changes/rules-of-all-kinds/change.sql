create or replace rule r_upd as on update to public.r where old.v is distinct from new.v do also insert into public.r_log values (old.id, old.v);
alter rule rv_ins on public.rv rename to rv_insert;
create rule rv_del as on delete to public.rv do instead (delete from public.r where id = old.id; insert into public.r_log values (old.id, 'gone'));
alter table public.r disable rule r_upd;
comment on rule rv_del on public.rv is 'two statements';
