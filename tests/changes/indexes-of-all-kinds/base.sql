create table public.doc (id int primary key, a text, b int, j jsonb, r int4range, tags text[], at timestamptz);
create index ix_same on public.doc (a);
create index ix_unique on public.doc (b);
create index ix_gone on public.doc (at);
create index ix_old on public.doc (a, b);
create unique index ix_key on public.doc (b, id);
