alter index public.pr_1_v_idx rename to v_of_1;
alter index public.pr_1_a_v_idx rename to v_of_a;
alter table public.pr_2 rename constraint pr_2_id_d_v_key to "Key of 2";
comment on index public.v_of_a is 'leaf';
