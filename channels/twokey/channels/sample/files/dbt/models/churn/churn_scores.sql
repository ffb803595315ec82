{{ config(materialized='table') }}

select
    o.customer_id,
    o.run_id,
    r.model_version,
    o.scored_at,
    round(o.raw_score, 4) as score,
    case
        when o.raw_score >= 0.7 then 'high'
        when o.raw_score >= 0.4 then 'medium'
        else 'low'
    end as band
from {{ source('ml', 'scoring_output') }} as o
inner join {{ source('ml', 'model_runs') }} as r on o.run_id = r.run_id
where r.status = 'ok'
order by o.scored_at, o.customer_id
