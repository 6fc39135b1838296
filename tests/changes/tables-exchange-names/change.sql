alter table legacy.orders rename to orders_legacy; alter table legacy.orders_legacy set schema public;
alter table shut.box rename to way; alter table shut.way set schema yard; alter table yard.way rename to crate;
alter type shut.mood rename to mood_of_shut; alter type shut.mood_of_shut set schema yard;
alter table public.wholly rename to whole;
alter table public.whole rename column one to first; alter table public.whole rename column two to second; alter table public.whole rename column three to third;
alter index public.meter_2_v_idx rename to x; alter index public.meter_2_id_idx rename to meter_2_v_idx; alter index public.x rename to meter_2_id_idx;
alter index public.meter_1_v_idx rename to x; alter index public.meter_1_id_idx rename to meter_1_v_idx; alter index public.x rename to meter_1_id_idx;
