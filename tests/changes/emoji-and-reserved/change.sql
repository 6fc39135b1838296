alter table "🚀 Launch"."select" add column "💡" int generated always as ("from" * 2) stored, alter "où" set not null, alter "où" set default '☃';
create type "🚀 Launch"."type" as enum ('✅', '❌''"');
alter table "🚀 Launch"."select" add column "table" "🚀 Launch"."type" default '❌''"';
create index "🔍" on "🚀 Launch"."select" ("日本" desc) where "a;b" > 0;
create policy "🔒 ""only"" --" on "🚀 Launch"."select" to "team ☕ lead" using ("où" = '☃; drop');
alter table "🚀 Launch"."select" enable row level security;
grant select ("où", "日本") on "🚀 Launch"."select" to "team ☕ lead"; grant usage on schema "🚀 Launch" to "team ☕ lead";
create or replace function public."do"("in" int) returns int language sql as $body$ select "in" + 1 -- $$ ☃
$body$;
alter table public."order" add constraint "primary" check ("desc" <> 'x'), add column "user" text default current_user;
create trigger "when" before insert on public."order" for each row execute function public."begin"();
