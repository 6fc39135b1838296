alter type public.inner_t add attribute d date;
alter type public.outer_t alter attribute n type numeric(8, 3);
alter type public.outer_t add attribute note text collate "C";
comment on type public.outer_t is 'outer'; comment on column public.outer_t.note is 'note';
