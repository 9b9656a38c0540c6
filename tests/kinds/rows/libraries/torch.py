"""Values of PyTorch."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

_NET = "import torch\ntorch.manual_seed(1)\nx = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())"
_WEIGHTS = "[(name, item.tolist(), item.requires_grad) for name, item in x.state_dict(keep_vars=True).items()]"
_TENSOR = (
    "(x.tolist(), str(x.dtype), tuple(x.shape), x.stride(), x.storage_offset(), x.requires_grad, "
    "None if x.grad is None else x.grad.tolist())"
)

ROWS = (
    Kind(
        "tensor",
        "torch",
        make="import torch\nx = torch.arange(6.0).reshape(2, 3)",
        change="x[0, 1] = 9",
        facts=_TENSOR,
        compared="elements, type, shape, strides, offset, gradient",
    ),
    Kind(
        "tensors that share a storage",
        "torch",
        make="import torch\nx = torch.arange(12.0)\nz = x[2:9:3]",
        change="x[2] = 9",
        facts=_TENSOR + " + (z.tolist(), z.stride(), z.storage_offset())",
        alias="(z.fill_(7.0), x[5].item() == 7.0 and x.data_ptr() + 8 == z.data_ptr())[1]",
        compared="elements, strides, offset",
    ),
    Kind(
        "view whose base has no name",
        "torch",
        make="import torch\nx = torch.arange(12).reshape(3, 4).T[1:, ::2]\nz = x.t()",
        change="z[0, 0] = 50",
        facts=_TENSOR,
        alias="(z.zero_(), x.sum().item() == 0)[1]",
        compared="elements, strides, offset",
    ),
    Kind(
        "tensor over an array",
        "torch",
        make="import numpy as np, torch\nz = np.arange(5.0)\nx = torch.from_numpy(z)",
        change="z[1] = 8",
        facts=_TENSOR,
        alias="(x.fill_(3.0), bool((z == 3).all()))[1]",
        compared="elements",
    ),
    Kind(
        "array over a tensor",
        "torch",
        make="import numpy as np, torch\nz = torch.arange(5.0)\nx = z.numpy()",
        change="z[1] = 8",
        facts="(x.tolist(), x.dtype.str, x.strides)",
        alias="(z.fill_(3.0), bool((x == 3).all()))[1]",
        compared="elements",
    ),
    Kind(
        "parameter with a gradient",
        "torch",
        make="import torch\nx = torch.nn.Parameter(torch.ones(3))\n(x * torch.arange(3.0)).sum().backward()\nz = x.grad",
        change="(x * 2).sum().backward()",
        facts=_TENSOR,
        alias="z is x.grad",
        compared="elements, gradient",
    ),
    Kind(
        "leaf that requires a gradient",
        "torch",
        make="import torch\nx = torch.ones(3, requires_grad=True)",
        change="x.requires_grad_(False)",
        facts=_TENSOR,
        compared="elements, whether it requires a gradient",
    ),
    Kind(
        "tensor with a graph",
        "torch",
        make="import torch\nw = torch.ones(3, requires_grad=True)\nx = (w * 2).sum()",
        facts="(x.item(), x.requires_grad, type(x.grad_fn).__name__)",
        outcome="rerun",
        quiet=False,
        reason="the graph that its gradient comes from",
        compared="number and kind of step",
    ),
    Kind(
        "detached tensor",
        "torch",
        make="import torch\nw = torch.ones(3, requires_grad=True)\nz = w * 2\nx = z.detach()\ndel z",
        change="x += 1",
        facts=_TENSOR,
        compared="elements",
    ),
    *(
        Kind(
            f"tensor of {kind}",
            "torch",
            make=f"import torch\nx = torch.arange(4).to(torch.{kind})",
            change="x[0] = 1",
            facts="(x.double().tolist() if not x.is_complex() else x.tolist(), str(x.dtype), tuple(x.shape))",
            compared="elements, type",
        )
        for kind in ("bfloat16", "float16", "complex64", "bool", "int8", "uint16", "float8_e4m3fn")
    ),
    Kind(
        "tensor without dimensions",
        "torch",
        make="import torch\nx = torch.tensor(4)",
        change="x += 1",
        facts=_TENSOR,
        compared="number",
    ),
    Kind(
        "empty tensor",
        "torch",
        make="import torch\nx = torch.empty(0, 3)",
        change="x.requires_grad_()",
        facts=_TENSOR,
        compared="shape",
    ),
    Kind(
        "expanded tensor",
        "torch",
        make="import torch\nx = torch.arange(3.0).expand(4, 3)",
        change="x[0, 0] = 5",
        facts=_TENSOR,
        compared="elements, strides",
    ),
    Kind(
        "conjugated view",
        "torch",
        make="import torch\nz = torch.tensor([1 + 2j, 3 - 1j])\nx = z.conj()",
        change="z[0] = 5j",
        facts="(x.tolist(), x.is_conj())",
        alias="(z.fill_(1j), x[0].item() == -1j)[1]",
        compared="elements, lazy conjugation",
    ),
    Kind(
        "sparse tensor",
        "torch",
        make="import torch\nx = torch.tensor([[0, 2.0], [3, 0]]).to_sparse()",
        change="x.mul_(2)",
        facts="(x.to_dense().tolist(), str(x.layout), x.is_coalesced())",
        compared="elements, layout",
    ),
    Kind(
        "sparse rows",
        "torch",
        make="import torch\nx = torch.tensor([[0, 2.0], [3, 0]]).to_sparse_csr()",
        change="x.values().mul_(2)",
        facts="(x.to_dense().tolist(), str(x.layout))",
        compared="elements, layout",
    ),
    Kind(
        "tensor with attributes",
        "torch",
        make="import torch\nx = torch.ones(2)\nx.note = [1]\nz = x.note",
        change="x.note.append(2)",
        facts="(x.tolist(), x.note)",
        alias="x.note is z",
        compared="elements, attributes",
    ),
    Kind(
        "leaf with a hook",
        "torch",
        make="import torch\nx = torch.ones(2, requires_grad=True)\nhandle = x.register_hook(lambda grad: grad * 10)",
        change="handle = x.register_hook(lambda grad: grad + 1)",
        facts="x.sum().backward()\nx.grad.tolist()",
        compared="what the hooks do to a gradient",
    ),
    Kind(
        "storage",
        "torch",
        make="import torch\nz = torch.arange(3.0)\nx = z.untyped_storage()",
        change="z[0] = 9",
        facts="list(x)",
        alias="(z.fill_(0), sum(x) == 0)[1]",
        compared="bytes",
    ),
    Kind(
        "size",
        "torch",
        make="import torch\nx = [torch.ones(2, 3).shape]",
        change="x.append(1)",
        facts="(tuple(x[0]), type(x[0]).__name__, x[1])",
        compared="numbers",
    ),
    Kind(
        "data type and device",
        "torch",
        make="import torch\nx = [torch.float64, torch.device('cpu')]",
        change="x.append(torch.int8)",
        facts="list(map(str, x))",
        compared="names",
    ),
    Kind("module", "torch", make=_NET, change="x[0].weight.data[0, 0] = 5", facts=_WEIGHTS, compared="parameters"),
    Kind(
        "module and one of its parameters",
        "torch",
        make=_NET + "\nz = x[0].weight",
        change="z.data.mul_(2)",
        facts=_WEIGHTS,
        alias="z is x[0].weight",
        compared="parameters",
    ),
    Kind(
        "module of the session's own class",
        "torch",
        make=(
            "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layer = torch.nn.Linear(2, 1)\n        self.register_buffer('seen', torch.zeros(1))\n"
            "    def forward(self, data):\n        self.seen += 1\n        return self.layer(data)\n"
            "torch.manual_seed(0)\nx = Net()"
        ),
        change="_ = x(torch.ones(2)).item()",
        facts="[x.seen.item(), x(torch.ones(2)).item(), x.seen.item()]",
        compared="buffers, result",
    ),
    Kind(
        "module with hooks",
        "torch",
        make=_NET + "\ncalls = []\n_ = x.register_forward_hook(lambda module, given, made: made * 2)",
        change="_ = x[0].register_forward_pre_hook(lambda module, given: (given[0] + 1,))",
        facts="x(torch.ones(3)).tolist()",
        compared="result",
    ),
    Kind(
        "tied parameters",
        "torch",
        make="import torch\nx = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])\n"
        "x[1].weight = x[0].weight\nz = x[1]",
        change="x[0].weight.data.fill_(3)",
        facts=_WEIGHTS,
        alias="z.weight is x[0].weight",
        compared="parameters",
    ),
    Kind(
        "module in evaluation mode",
        "torch",
        make="import torch\nx = torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Dropout())",
        change="x.eval()",
        facts="[item.training for item in x.modules()]",
        compared="mode",
    ),
    *(
        Kind(
            f"optimizer {kind}",
            "torch",
            make=_NET.replace("x =", "net =")
            + f"\nx = torch.optim.{kind}(net.parameters(), lr=0.1)\nnet(torch.ones(3)).sum().backward()\nx.step()",
            change="x.step()",
            facts=(
                "(sorted((key, sorted((name, value.tolist() if torch.is_tensor(value) else value) "
                "for name, value in item.items())) for key, item in x.state_dict()['state'].items()), "
                "[item.tolist() for item in net.parameters()], x.param_groups[0]['lr'])"
            ),
            alias="x.step()\nall(a is b for a, b in zip(net.parameters(), x.param_groups[0]['params']))",
            compared="state, parameters",
        )
        for kind in ("SGD", "Adam", "AdamW", "RMSprop")
    ),
    Kind(
        "learning rate scheduler",
        "torch",
        make=_NET.replace("x =", "net =")
        + "\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\nx = torch.optim.lr_scheduler.StepLR(opt, 2)",
        change="opt.step()\nx.step()",
        facts="(x.get_last_lr(), x.last_epoch)",
        alias="x.optimizer is opt",
        compared="rate, step",
    ),
    Kind(
        "data set",
        "torch",
        make="import torch\nz = torch.arange(4.0)\nx = torch.utils.data.TensorDataset(z)",
        change="z[0] = 9",
        facts="[item[0].item() for item in x]",
        alias="x.tensors[0] is z",
        compared="items",
    ),
    Kind(
        "data loader",
        "torch",
        make="import torch\nx = torch.utils.data.DataLoader(list(range(6)), batch_size=2, shuffle=True, "
        "generator=torch.Generator().manual_seed(3))",
        change="x.generator.manual_seed(4)",
        facts="[item.tolist() for item in x]",
        compared="batches in their order",
    ),
    Kind(
        "begun iterator over a data loader",
        "torch",
        make="import torch\nx = iter(torch.utils.data.DataLoader(list(range(6)))); _ = next(x)",
        facts="next(x).tolist()",
        outcome="rerun",
        quiet=False,
        reason="cannot be pickled",
        compared="next item",
    ),
    Kind(
        "generator",
        "torch",
        make="import torch\nx = torch.Generator().manual_seed(5)",
        change="_ = torch.rand(3, generator=x)",
        facts="torch.rand(3, generator=x).tolist()",
        compared="next numbers",
    ),
    Kind(
        "distribution",
        "torch",
        make="import torch\nx = torch.distributions.Normal(torch.zeros(2), torch.ones(2))",
        change="x.loc[0] = 4",
        facts="(x.mean.tolist(), x.log_prob(torch.ones(2)).tolist())",
        compared="parameters, density",
    ),
)
