alter table public.k rename constraint k_id to n_id; alter table public.k rename constraint k_a to n_a; alter table public.k rename constraint k_b to n_b; alter table public.k rename constraint k_c to n_c;
alter index public.k_ix rename to n_ix; alter statistics public.k_st rename to n_st; alter sequence public.k_seq rename to n_seq;
alter function public.k_fn(int) rename to n_fn; alter function public.k_tr() rename to n_tr; alter trigger k_tr on public.k rename to n_tr; alter policy k_po on public.k rename to n_po;
alter rule k_ru on public.k rename to n_ru; alter view public.k_vi rename to n_vi; alter materialized view public.k_mv rename to n_mv; alter index public.k_mv_ix rename to n_mv_ix;
alter domain public.k_do rename constraint k_pos to n_pos; alter text search configuration public.k_ts rename to n_ts; alter collation public.k_co rename to n_co; alter aggregate public.k_ag(int) rename to n_ag;
