drop view public.orgs;
alter table public.member drop constraint member_org_id_fkey;
alter table public.org drop constraint org_pkey;
alter table public.org add primary key (uid);
alter table public.org add constraint org_id unique (id);
alter table public.member add constraint member_org_id_fkey foreign key (org_id) references public.org (id) on delete restrict on update cascade;
alter table public.member drop constraint member_pkey, add constraint member_key primary key (org_id, id);
create view public.orgs as select uid, name, count(*) as n from public.org group by uid;
