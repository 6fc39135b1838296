create schema app;
alter default privileges in schema app grant select on tables to anon;
alter default privileges in schema app grant execute on functions to anon;
alter default privileges revoke execute on functions from public;
create table app.before (id int primary key);
