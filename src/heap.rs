//! Leaves the heap of the C library as requests find it best.

use core::array;
use core::hint::black_box;

use nginx_sys::{ngx_cycle_t, ngx_int_t, NGX_OK};

/// So much nginx asks for at a time for a request's pool, unless `request_pool_size` says otherwise.
const POOL: usize = 4096;

/// From blocks of this size connections can take what they need, so that those for requests stay whole.
const SPARE: usize = 3000;

/// What is freed in these sizes, the C library keeps for itself for a while: the neighbours do not grow together. It
/// keeps seven of a size.
const FENCES: [usize; 2] = [1000, 984];

/// Of each kind so many; a request without a body needs two.
const BLOCKS: usize = 4;

/// Leaves a few free blocks that fit the pools of requests.
///
/// With the configuration read, what is free is by chance a little smaller or larger. Blocks that have to be cut out of
/// larger ones and grow together with them again, with every request, cost it more than anything else in this module.
pub(crate) unsafe extern "C" fn prepare(_: *mut ngx_cycle_t) -> ngx_int_t {
    let [before, between] = FENCES;
    let blocks = array::from_fn::<_, BLOCKS, _>(|_| [block(before), block(POOL), block(between), block(SPARE)]);
    let last = block(before);
    // The blocks are freed first, while their neighbours are still there.
    let fences = blocks.map(|[before, _, between, _]| [before, between]);
    drop((fences, last));
    NGX_OK as ngx_int_t
}

/// Memory that nobody uses, unless there is none.
fn block(size: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let _ = black_box(&mut block).try_reserve_exact(size);
    black_box(block)
}
