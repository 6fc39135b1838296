alter schema shop rename to store;
alter type store.state add value 'held' before 'done';
alter table store.orders alter s set default 'held';
create index on store.orders (id) where s = 'held';
