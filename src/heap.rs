//! Leaves the heap of the C library as requests find it best.

use core::array;
use core::hint::black_box;

use nginx_sys::{ngx_cycle_t, ngx_int_t, NGX_OK};

/// So much nginx asks for at a time for a request's pool, unless `request_pool_size` says otherwise.
const POOL: usize = 4096;

/// What is freed in this size, the C library keeps for itself for a while: its neighbours do not grow together.
const FENCE: usize = 1000;

/// A request without a body needs two.
const POOLS: usize = 4;

/// Leaves a few free blocks that fit the pools of requests.
///
/// With the configuration read, what is free is by chance a little smaller or larger. Blocks that have to be cut out of
/// larger ones and grow together with them again, with every request, cost it more than anything else in this module.
pub(crate) unsafe extern "C" fn prepare(_: *mut ngx_cycle_t) -> ngx_int_t {
    let blocks = array::from_fn::<_, POOLS, _>(|_| (block(FENCE), block(POOL)));
    let fence = block(FENCE);
    let (fences, pools): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
    drop(pools);
    drop((fences, fence));
    NGX_OK as ngx_int_t
}

/// Memory that nobody uses, unless there is none.
fn block(size: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let _ = black_box(&mut block).try_reserve_exact(size);
    black_box(block)
}
