create table public."Users" ("ID" int primary key, "userName" text, "Age" int);
create type public."Kind" as enum ('A', 'B');
alter table public."Users" add k public."Kind" default 'A';
create index "Users_userName" on public."Users" ("userName");
create function public."getUser"("uId" int) returns text language sql stable as $$ select "userName" from public."Users" where "ID" = "uId" $$;
